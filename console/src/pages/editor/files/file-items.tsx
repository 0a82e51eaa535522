import { Menu, Text } from '@mantine/core'
import type { Topology } from '../../../api/engine.ts'
import { useWhyNot } from '../../../api/session.ts'
import { failed } from '../../../parts/toast.ts'
import { exportDocument } from './export.ts'
import type { FileFormat } from './export.ts'

interface FileItemsProps {
  /** Its document is what is exported. */
  readonly topology: Pick<Topology, 'id' | 'name' | 'document'>
  /** The document isn't stored as it is here. */
  readonly isUnsaved?: boolean
  readonly openImport: () => void
}

const formats: readonly (readonly [FileFormat, string])[] = [
  ['yaml', 'YAML'],
  ['json', 'JSON'],
  ['bpmn', 'BPMN'],
]

/** Of a menu: the document from a file, and as one. */
export function FileItems({ topology, isUnsaved = false, openImport }: FileItemsProps) {
  const cantDesign = useWhyNot('design')
  const keep = (format: FileFormat): void =>
    void exportDocument(topology, topology.document, format).catch((error: unknown) => failed('Not exported', error))
  return (
    <>
      <Menu.Item disabled={cantDesign !== null} title={cantDesign ?? undefined} onClick={openImport}>
        Import…
      </Menu.Item>
      {formats.map(([format, name]) => (
        <Menu.Item key={format} onClick={() => keep(format)}>
          Export as {name}
          {isUnsaved && format === 'bpmn' && (
            <Text size="xs" c="dimmed">
              as it is saved: the engine draws it
            </Text>
          )}
        </Menu.Item>
      ))}
    </>
  )
}
