import { counted } from '../../parts/show/format.ts'

/** What came of ending its waits. Whether it takes calls again is known with its next answer only. */
export function resumedText(name: string, tenant: string | null, ended: number): string {
  const whose = tenant === null ? name : `${name} for ${tenant}`
  if (ended === 0) return `No wait of ${whose} was left to end`
  return `${counted(ended, 'wait')} of ${whose} ended; with another 429 calls wait again`
}
