/**
 * Whose a topology is. `apply --set NAME` marks with a label what it applies; `--prune` removes what carries that mark and is in none of
 * the files any more, and never anything else. A topology belongs to one set at most.
 */
import { Invalid } from '../../../errors.ts'
import type { TopologyDocument } from '../../../topology/schema.ts'

export const setLabel = 'sluice/set'

/** For commander. */
export function setName(text: string): string {
  if (/^[a-z0-9-]{1,63}$/.test(text)) return text
  throw new Invalid(`--set takes a name of 1 to 63 characters: a–z, 0–9 and -; found "${text}"`)
}

type Labelled = Pick<TopologyDocument, 'labels'>

const ownerOf = (of: Labelled | null): string | undefined => of?.labels?.[setLabel]

/** What is in the way of applying the document with this set (undefined: with none); null: nothing. */
export function ownerFault(
  document: TopologyDocument,
  stored: Labelled | null,
  set: string | undefined,
): string | null {
  const [said, owner] = [ownerOf(document), ownerOf(stored)]
  if (set === undefined) return null
  if (said !== undefined && said !== set)
    return `${document.name} says that it belongs to the set "${said}", and is applied with --set ${set}: take its label ${setLabel} out`
  if (owner !== undefined && owner !== set)
    return `${document.name} belongs to the set "${owner}": take it out of those files, then \`sluice set ${document.name} labels.${setLabel}=\``
  return null
}

/** The document with the mark of its set: the one that it is applied with, else the one that it has. */
export function marked(document: TopologyDocument, stored: Labelled | null, set: string | undefined): TopologyDocument {
  const owner = set ?? ownerOf(document) ?? ownerOf(stored)
  return owner === undefined ? document : { ...document, labels: { ...document.labels, [setLabel]: owner } }
}
