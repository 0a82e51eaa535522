export interface Counts {
  passed: number
  failed: number
  skipped: number
}
interface Report {
  testResults?: { status: string; assertionResults: { status: string }[] }[]
}
export function countResults(report: Report, exitCode: number): Counts
export function closingLine(counts: Counts): string
export function addUp(outputs: string[]): Counts
