import { SegmentedControl, Stack, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMemo, useState } from 'react'
import classes from './body.module.css'
import { differenceOf, hunksOf } from './difference.ts'
import type { DifferentLine } from './difference.ts'
import { counted } from '../show/format.ts'

interface DifferenceViewProps {
  readonly before: string
  readonly after: string
  /** What the sides are called. */
  readonly names: readonly [string, string]
}

type Shape = 'beside' | 'inline'

const shownMax = 2_000

/** What was changed, line by line: side by side where there is room, or one below the other. */
export function DifferenceView({ before, after, names }: DifferenceViewProps) {
  const isWide = useMediaQuery('(min-width: 75em)')
  const [chosen, setChosen] = useState<Shape | null>(null)
  const shape = chosen ?? (isWide ? 'beside' : 'inline')
  const lines = useMemo(() => differenceOf(before, after), [before, after])
  const hunks = useMemo(() => hunksOf(lines).slice(0, shownMax), [lines])
  const count = lines.filter(({ kind }) => kind !== 'same').length
  if (count === 0)
    return (
      <Text size="sm" c="dimmed">
        Nothing differs.
      </Text>
    )
  return (
    <Stack gap={6}>
      <SegmentedControl
        size="xs"
        aria-label="How differences are shown"
        value={shape}
        onChange={(value) => setChosen(value === 'beside' ? 'beside' : 'inline')}
        data={[
          { value: 'beside', label: 'Side by side' },
          { value: 'inline', label: 'Inline' },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      <div className={classes.scroller} tabIndex={0} role="region" aria-label={`${names[0]} and ${names[1]}`}>
        <table className={classes.difference}>
          <caption className={classes.caption}>
            {names[0]} → {names[1]}: {counted(count, 'line')} differ
          </caption>
          <tbody>{shape === 'inline' ? hunks.map(inlineRow) : besides(hunks).map(besideRow)}</tbody>
        </table>
      </div>
    </Stack>
  )
}

const signs = { same: ' ', removed: '−', added: '+' } as const

function inlineRow(line: DifferentLine | number, at: number) {
  if (typeof line === 'number') return <Skipped key={at} count={line} columns={4} />
  return (
    <tr key={at} className={classes[line.kind]}>
      <td className={classes.numbers}>{line.before}</td>
      <td className={classes.numbers}>{line.after}</td>
      <td className={classes.sign}>{signs[line.kind]}</td>
      <td>{line.text}</td>
    </tr>
  )
}

interface Beside {
  readonly left: DifferentLine | null
  readonly right: DifferentLine | null
}

/** Removed lines stand beside the added ones that follow them. */
function besides(lines: readonly (DifferentLine | number)[]): (Beside | number)[] {
  const rows: (Beside | number)[] = []
  let open: DifferentLine[] = []
  const close = (): void => {
    rows.push(...open.map((left) => ({ left, right: null })))
    open = []
  }
  for (const line of lines) {
    if (typeof line !== 'number' && line.kind === 'added') rows.push({ left: open.shift() ?? null, right: line })
    else if (typeof line !== 'number' && line.kind === 'removed') open.push(line)
    else {
      close()
      rows.push(typeof line === 'number' ? line : { left: line, right: line })
    }
  }
  close()
  return rows
}

function besideRow(row: Beside | number, at: number) {
  if (typeof row === 'number') return <Skipped key={at} count={row} columns={4} />
  return (
    <tr key={at}>
      <td className={classes.numbers}>{row.left?.before}</td>
      <td className={row.left === null ? '' : classes[row.left.kind]}>{row.left?.text}</td>
      <td className={classes.numbers}>{row.right?.after}</td>
      <td className={row.right === null ? '' : classes[row.right.kind]}>{row.right?.text}</td>
    </tr>
  )
}

function Skipped({ count, columns }: { readonly count: number; readonly columns: number }) {
  return (
    <tr className={classes.skipped}>
      <td colSpan={columns}>{counted(count, 'line')} the same</td>
    </tr>
  )
}
