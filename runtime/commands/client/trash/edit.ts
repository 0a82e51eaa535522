import type { Command } from 'commander'
import { answerOf, dataOf, ifMatch } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { ExactMessage, TrashEdit, TrashMessage } from '../../../client/openapi.d.ts'
import { Invalid } from '../../../errors.ts'
import { inexactNumber } from '../../../protocol/patch/exact.ts'
import { addOptions, examples, gather } from '../../define.ts'
import { editInEditor, isJsonType } from '../../terminal/editor.ts'
import { bytesOfFlag, jsonTextOfFlag } from '../../terminal/input.ts'
import { plain } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { acceptWarningsOption, settleOne } from './settle.ts'

export function defineEdit(command: Command): void {
  const edit = command.description('change a message; the original is kept').argument('<id>')
  edit.option('--body <json>', 'the new body: JSON, @file, or - for stdin; without it your editor opens')
  edit.option('--content-type <type>', 'the new body is of this type, and sent byte by byte; with --body')
  edit.option(
    '--header <name=value>',
    'a header that travels with it, such as x-shop=brno; without a value: not',
    gather,
  )
  edit.option('--reason <text>', 'why, for those who come after')
  edit.option('--replay', 'replay it at once')
  acceptWarningsOption(edit, 'with --replay: ')
  examples(addOptions(edit.action(editTrash), 'client'), [
    ['sluice trash edit 01K2X… --replay', 'in your editor, then to its node again'],
    ["sluice trash edit 01K2X… --body '{\"id\": 4}' --reason 'typed wrong'", 'without an editor'],
    ['sluice trash edit 01K2X… --body @row.csv --content-type text/csv', 'a body that is no JSON'],
    ['sluice trash edit 01K2X… --header x-shop=brno', 'only a header'],
  ])
}

type Flags = Record<string, unknown> & {
  body?: string
  contentType?: string
  header?: readonly string[]
  reason?: string
  replay?: boolean
  acceptWarnings?: boolean
}

async function editTrash(id: string, flags: Flags): Promise<void> {
  const { contentType, reason, replay, acceptWarnings } = flags
  if (contentType !== undefined && flags.body === undefined)
    throw new Invalid('--content-type is of the body that --body gives')
  if (acceptWarnings === true && replay !== true) throw new Invalid('--accept-warnings is of --replay')
  const engine = findEngine(flags)
  const params = { path: { id } }
  const { data: item, etag } = await answerOf(engine.GET('/api/trash/{id}', { params }))
  const edited = await editOf(engine, item, flags)
  if (edited === null) return console.log('nothing was changed')
  const body = { ...edited, ...(reason !== undefined && { reason }) }
  const saved = await dataOf(engine.PUT('/api/trash/{id}', { params, body, headers: ifMatch(etag) }))
  for (const { path, message } of saved.warnings) console.error(plain(`warning: ${path} ${message}`))
  console.log(`${id} is changed${replay === true ? '' : `; to send it: sluice trash replay ${id}`}`)
  if (replay === true) await settleOne(engine, 'replay', id, { acceptWarnings: acceptWarnings === true })
}

/** Null: nothing was changed. */
async function editOf(
  engine: Engine,
  item: TrashMessage,
  { body, contentType, header }: Flags,
): Promise<TrashEdit | null> {
  // In the version that the answer is of: whoever edits meanwhile makes this one lose.
  const asked = { params: { path: { id: item.id }, query: { version: item.versions.length } } }
  const exact = (): Promise<ExactMessage> => dataOf(engine.GET('/api/trash/{id}/body', asked))
  const headers = header === undefined ? {} : { headers: withHeaders((await exact()).headers, header) }
  if (body !== undefined) return { ...headers, ...bodyOf(body, contentType, item) }
  return header === undefined ? editInEditor(item.id, await exact()) : headers
}

/** JSON whose numbers would not survive being read is sent as it was written. */
function bodyOf(flag: string, contentType: string | undefined, item: TrashMessage): TrashEdit {
  if (contentType !== undefined) return { contentType, bodyBase64: Buffer.from(bytesOfFlag(flag)).toString('base64') }
  const { json, text } = jsonTextOfFlag('--body', flag)
  const { contentType: type } = item.versions.at(-1) ?? item
  return isJsonType(type) && inexactNumber(text) !== null
    ? { bodyBase64: Buffer.from(text.trim()).toString('base64') }
    : { body: json }
}

function withHeaders(before: Readonly<Record<string, string>>, flags: readonly string[]): Record<string, string> {
  const headers = new Map(Object.entries(before))
  for (const flag of flags) {
    const at = flag.indexOf('=')
    if (at < 1) throw new Invalid(`--header takes name=value, such as x-shop=brno; found "${flag}"`)
    const [name, value] = [flag.slice(0, at), flag.slice(at + 1)]
    if (value === '') headers.delete(name)
    else headers.set(name, value)
  }
  return Object.fromEntries(headers)
}
