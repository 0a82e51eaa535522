import { nodeTypes } from '../plan.ts'
import { didYouMean } from '../suggest.ts'
import type { DrawnNode, Notes } from './drawing.ts'

/** Words of the older editors for nodes that have no counterpart here, and whether a worker implements them. */
const foreign: Readonly<Record<string, boolean>> = {
  user: false,
  gateway: false,
  debug: false,
  signal: false,
  xml_parser: true,
  table_parser: true,
  mapper: true,
  splitter: true,
}

type ReadType = Pick<DrawnNode, 'type' | 'callable' | 'foreign'>

/** Of what is a fault. */
export const unknownType: ReadType = { type: 'custom', callable: true, foreign: undefined }

/** What an older editor's word for a type is here; a word that nobody knows is a fault. */
export function typeOf(word: string, path: string, notes: Notes): ReadType {
  if (word === 'batch_connector') return { type: 'batch', callable: true, foreign: undefined }
  const type = nodeTypes.find((known) => known === word)
  if (type !== undefined) return { type, callable: true, foreign: undefined }
  const callable = foreign[word]
  if (callable === undefined || !Object.hasOwn(foreign, word)) {
    const known = [...nodeTypes, 'batch_connector', ...Object.keys(foreign)]
    notes.fault(
      path,
      `there is no type "${word.slice(0, 80)}"${didYouMean(word, known)}; there are ${known.join(', ')}`,
    )
    return unknownType
  }
  const what = word === 'user' ? 'breakpoints (type user) are not there' : `nodes of type ${word} are not there`
  const how = callable ? 'its worker is called for it' : 'give it a worker, or take it out, before you publish'
  notes.warn(path, `${what}: it is read as a custom node; ${how}`)
  return { type: 'custom', callable, foreign: word }
}
