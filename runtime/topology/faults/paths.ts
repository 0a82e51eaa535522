/** Paths of faults as people read them, and back. Pure, and without a package: the console reads them, too. */

/** `nodes[2].prefetch`. */
export function textOfPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part).slice(0, 80)}`,
    )
    .join('')
}

/** The keys of a path such as `nodes[2].prefetch`. */
export function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([key, index]) => (index === undefined ? key : Number(index)))
}
