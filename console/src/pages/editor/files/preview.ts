import { answerOf, dataOf, engine, ifMatch } from '../../../api/engine.ts'
import type { CheckedDocument, DocumentFault, TopologyDocument } from '../../../api/engine.ts'
import { read } from './read.ts'
import type { Read, Unreadable } from './read.ts'

type Readable = Exclude<Read, { kind: 'nothing' | 'unreadable' }>

/** What taking a file would come to. */
export interface Taking {
  readonly read: Readable
  /** As it would be saved. */
  readonly document: TopologyDocument
  readonly checked: CheckedDocument
  /** Of the draft that it would replace. */
  readonly etag: string | null
  /** What of it has no counterpart here. */
  readonly warnings: readonly DocumentFault[]
}

/** Null: there is nothing in it. Or why it can't be read. */
export type Preview = Taking | { readonly faults: readonly Unreadable[] } | null

/** Asks the engine what a text would make of the draft; nothing is stored. */
export async function preview(topology: string, text: string): Promise<Preview> {
  const found = await read(text)
  if (found.kind === 'nothing') return null
  if (found.kind === 'unreadable') return { faults: found.faults }
  const { document, warnings } = await documentOf(topology, found)
  const isDrawn = found.kind !== 'document'
  const params = { path: { topology }, query: { drawn: isDrawn ? ('true' as const) : ('false' as const) } }
  const check = engine.POST('/api/topologies/{topology}/check', { params, body: document })
  const { data: checked, etag } = await answerOf(check)
  return { read: found, document, checked, etag, warnings }
}

type Drafted = Pick<Taking, 'document' | 'warnings'>

async function documentOf(topology: string, found: Readable): Promise<Drafted> {
  // The engine says what is wrong with its shape.
  if (found.kind === 'document') return { document: found.value as TopologyDocument, warnings: [] }
  return putDrawing(topology, found, true, null)
}

/** Replaces the draft, unless somebody else changed it meanwhile. */
export async function take(topology: string, { read: found, document, etag }: Taking): Promise<void> {
  if (found.kind !== 'document') return void (await putDrawing(topology, found, false, etag))
  const params = { path: { topology } }
  await dataOf(engine.PUT('/api/topologies/{topology}', { params, body: document, headers: ifMatch(etag) }))
}

type Drawn = Exclude<Readable, { kind: 'document' }>

function putDrawing(topology: string, drawn: Drawn, isDry: boolean, etag: string | null): Promise<Drafted> {
  const params = { path: { topology }, query: { dryRun: isDry ? ('true' as const) : ('false' as const) } }
  if (drawn.kind === 'flow')
    return dataOf(
      engine.PUT('/api/topologies/{topology}/schema.json', { params, body: drawn.payload, headers: ifMatch(etag) }),
    )
  const headers = { ...ifMatch(etag), 'content-type': 'application/xml' }
  const { text: body } = drawn
  return dataOf(
    engine.PUT('/api/topologies/{topology}/schema.bpmn', { params, headers, body, bodySerializer: () => body }),
  )
}
