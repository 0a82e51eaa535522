import { Anchor, Code, List, Text } from '@mantine/core'
import type { TopologyDocument } from '../../../api/engine.ts'

interface PlacedFault {
  /** Empty: it is about all of it. */
  readonly path: string
  readonly message: string
  /** Of the text that it stands in; null: of none. */
  readonly line?: number | null
}

interface FaultsProps {
  readonly faults: readonly PlacedFault[]
  /** Whose faults they are: nodes are called by their names. */
  readonly document: Pick<TopologyDocument, 'nodes'> | null
  readonly goTo?: (line: number) => void
}

const shownMax = 50

/** What is wrong with a document, fault by fault, each with its place. */
export function Faults({ faults, document, goTo }: FaultsProps) {
  const more = faults.length - shownMax
  return (
    <>
      <List size="sm" spacing={4} aria-label="Faults">
        {faults.slice(0, shownMax).map(({ path, message, line = null }) => (
          <List.Item key={`${line} ${path} ${message}`} style={{ overflowWrap: 'anywhere' }}>
            {line !== null && (
              <>
                <Anchor component="button" type="button" size="sm" c="inherit" onClick={() => goTo?.(line)}>
                  line {line}
                </Anchor>{' '}
              </>
            )}
            {path !== '' && <Code>{placeIn(path, document)}</Code>} {message}
          </List.Item>
        ))}
      </List>
      {more > 0 && <Text size="sm">and {more} more</Text>}
    </>
  )
}

/** `store.prefetch` for `nodes[2].prefetch`. */
function placeIn(path: string, document: FaultsProps['document']): string {
  const [whole, index = ''] = /^nodes\[(\d+)\]/.exec(path) ?? []
  const name: unknown = document?.nodes[Number(index)]?.name
  return whole === undefined || typeof name !== 'string' ? path : name + path.slice(whole.length)
}
