/** The sign of Sluiceway. */
export function Mark({ size = 22 }: { readonly size?: number }) {
  return <img src="/favicon.svg" width={size} height={size} alt="" />
}
