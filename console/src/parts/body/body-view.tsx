import { Button, CopyButton, Group, SegmentedControl, Stack, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { bytes as shownBytes } from '../show/format.ts'
import { download } from '../download.ts'
import classes from './body.module.css'
import { linesOf } from './flatten.ts'
import { Lines } from './lines.tsx'
import { isJsonType, parseJson, prettyJson } from './text.ts'
import type { Body } from './text.ts'
import { JsonTree } from './tree.tsx'

interface BodyViewProps {
  readonly body: Body
  /** Of the file that it can be kept as. */
  readonly fileName: string
  readonly faults?: readonly { readonly path: string; readonly message: string }[]
}

type Shape = 'tree' | 'text'

/** A body of any type and of up to 8 MiB: JSON as a tree or as it is, text as text, of all else the beginning in hex. */
export function BodyView({ body, fileName, faults }: BodyViewProps) {
  const json = useMemo(() => jsonOf(body), [body])
  const [shape, setShape] = useState<Shape>('tree')
  return (
    <Stack gap={6}>
      <Group gap="xs" justify="space-between">
        <Group gap="xs">
          {json !== undefined && (
            <SegmentedControl
              size="xs"
              aria-label="How the body is shown"
              value={shape}
              onChange={(value) => setShape(value === 'text' ? 'text' : 'tree')}
              data={[
                { value: 'tree', label: 'Tree' },
                { value: 'text', label: 'As it is' },
              ]}
            />
          )}
          <Text size="xs" c="dimmed">
            {body.contentType} · {shownBytes(body.bytes.length)}
          </Text>
        </Group>
        <Group gap={4}>
          {body.text !== null && (
            <CopyButton value={body.text}>
              {({ copied, copy }) => (
                <Button variant="default" size="compact-xs" onClick={copy}>
                  {copied ? 'Copied' : 'Copy'}
                </Button>
              )}
            </CopyButton>
          )}
          <Button variant="default" size="compact-xs" onClick={() => keep(body, fileName)}>
            Download
          </Button>
        </Group>
      </Group>
      {body.bytes.length === 0 ? (
        <Text size="sm" c="dimmed">
          The body is empty.
        </Text>
      ) : json !== undefined && shape === 'tree' ? (
        <JsonTree label="Body" value={json.value} {...(faults && { faults })} />
      ) : (
        <PlainText text={body.text ?? hexOf(body.bytes)} />
      )}
    </Stack>
  )
}

const plainMax = 40_000

function PlainText({ text }: { readonly text: string }) {
  const isLong = text.length > plainMax
  const lines = useMemo(() => (isLong ? linesOf(text, 160) : []), [isLong, text])
  if (!isLong)
    return (
      <div className={classes.scroller} role="region" aria-label="Body" tabIndex={0}>
        <pre className={classes.plain}>{text}</pre>
      </div>
    )
  return (
    <Lines
      label="Body"
      count={lines.length}
      line={(index, style) => (
        <div key={index} className={classes.line} style={{ ...style, paddingLeft: 10 }}>
          {lines[index]}
        </div>
      )}
    />
  )
}

/** Undefined: it is none. What doesn't say what it is may be JSON all the same. */
function jsonOf({ contentType, text }: Body): { readonly value: unknown } | undefined {
  if (text === null || (!isJsonType(contentType) && !/^\s*[[{]/.test(text))) return undefined
  try {
    return { value: parseJson(text) }
  } catch {
    return undefined
  }
}

/** As it is edited and compared: JSON in lines. */
export function readable({ contentType, text }: Body): string | null {
  if (text === null || !isJsonType(contentType)) return text
  try {
    JSON.parse(text)
    return prettyJson(text)
  } catch {
    return text
  }
}

const hexMax = 4_096

function hexOf(bytes: Uint8Array): string {
  const rows: string[] = []
  for (let at = 0; at < Math.min(bytes.length, hexMax); at += 16) {
    const part = [...bytes.subarray(at, at + 16)]
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const letters = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('')
    rows.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(48)} ${letters}`)
  }
  if (bytes.length > hexMax) rows.push(`… ${(bytes.length - hexMax).toLocaleString()} bytes more: download it`)
  return rows.join('\n')
}

function keep({ bytes, contentType }: Body, name: string): void {
  download(`${name}${isJsonType(contentType) ? '.json' : ''}`, Uint8Array.from(bytes))
}
