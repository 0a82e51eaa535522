import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { plain, printData } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'

/** What one version has that another has not; by default the newest and the original. */
export async function showDifference(
  engine: Engine,
  id: string,
  versions: { readonly from: number | undefined; readonly to: number | undefined },
  output: Format,
): Promise<void> {
  const query = {
    ...(versions.from !== undefined && { from: versions.from }),
    ...(versions.to !== undefined && { to: versions.to }),
  }
  const found = await dataOf(engine.GET('/api/trash/{id}/difference', { params: { path: { id }, query } }))
  if (output !== 'table') return printData(found, output)
  const { from, to, contentType, headers, body, lines, isComplete } = found
  console.log(`version ${from} → ${to}`)
  if (contentType !== null) console.log(plain(`content type: ${contentType.before} → ${contentType.after}`))
  for (const change of headers) showChange(`header ${change.path}`, change)
  for (const change of body) showChange(change.path === '' ? '(all of it)' : change.path, change)
  for (const { line, before, after } of lines) {
    if (before !== undefined) console.log(plain(`- ${line}: ${before}`))
    if (after !== undefined) console.log(plain(`+ ${line}: ${after}`))
  }
  if (contentType === null && headers.length + body.length + lines.length === 0) console.log('they are the same')
  if (!isComplete) console.log('… and more')
}

function showChange(path: string, { before, after }: { before?: unknown; after?: unknown }): void {
  const shown = (value: unknown): string => (value === undefined ? '(not there)' : JSON.stringify(value))
  console.log(plain(`${path}: ${shown(before)} → ${shown(after)}`))
}
