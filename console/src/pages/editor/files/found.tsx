import { Alert, Text } from '@mantine/core'
import { counted } from '../../../parts/show/format.ts'
import { Icon } from '../../../parts/icons.tsx'
import { DocumentDifference } from '../difference/difference.tsx'
import { Faults } from '../faults/faults.tsx'
import type { Preview, Taking } from './preview.ts'

interface FoundProps {
  readonly found: NonNullable<Preview>
  readonly goTo: (line: number) => void
}

/** What stands in a file: what is wrong with it, and what it would change. */
export function Found({ found, goTo }: FoundProps) {
  if ('faults' in found) {
    return (
      <Alert color="red" variant="light" icon={<Icon name="warning" />} title="It can’t be read">
        <Faults faults={found.faults.map((fault) => ({ path: '', ...fault }))} document={null} goTo={goTo} />
      </Alert>
    )
  }
  return <Taken taking={found} goTo={goTo} />
}

const kinds = {
  document: 'A topology document',
  bpmn: 'A document of the BPMN editor',
  flow: 'A document of the flow editor',
} as const

function Taken({ taking, goTo }: { readonly taking: Taking; readonly goTo: (line: number) => void }) {
  const { read, document, checked, warnings } = taking
  const lineOf = (path: string) => (read.kind === 'document' && path !== '' ? read.lineOf(path) : null)
  const { changes } = checked
  const errors = checked.errors.map((fault) => ({ ...fault, line: lineOf(fault.path) }))
  const isRefused = changes === null
  const count = counted(errors.length, 'fault')
  return (
    <>
      {errors.length > 0 && (
        <Alert
          color={isRefused ? 'red' : 'yellow'}
          variant="light"
          icon={<Icon name="warning" />}
          title={isRefused ? `It can’t be taken: ${count}` : `It can be taken, but not be published yet: ${count}`}
        >
          <Faults faults={errors} document={isRefused ? null : document} goTo={goTo} />
        </Alert>
      )}
      {warnings.length > 0 && (
        <Alert color="yellow" variant="light" icon={<Icon name="info" />} title="What has no counterpart here">
          <Faults faults={warnings} document={null} />
        </Alert>
      )}
      {changes !== null && (
        <section aria-label="What it changes">
          <Text size="sm" mb={4}>
            {kinds[read.kind]} of {counted(document.nodes.length, 'node')}. Until it is published, only the draft
            changes:
          </Text>
          <DocumentDifference difference={changes} same="The draft says the same already." />
        </section>
      )}
    </>
  )
}
