import { Group, SegmentedControl, Text } from '@mantine/core'
import { useSearchParams } from 'wouter'
import { TextFilter } from '../../parts/filters/text-filter.tsx'
import { counted } from '../../parts/show/format.ts'
import classes from './topologies.module.css'

const shows = [
  { value: '', label: 'All' },
  { value: 'attention', label: 'Attention' },
  { value: 'published', label: 'Published' },
  { value: 'draft', label: 'Drafts' },
  { value: 'paused', label: 'Paused' },
  { value: 'disabled', label: 'Disabled' },
]

/** What is looked for; the address has it, so that it can be sent to somebody. */
export function Filters({ total }: { readonly total: number | null }) {
  const [params, setParams] = useSearchParams()
  const set = (name: string, value: string): void =>
    setParams(
      (known) => {
        const next = new URLSearchParams(known)
        next.delete('after')
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  return (
    <Group gap="xs" className={classes.filters}>
      <TextFilter
        label="Search by name or description"
        placeholder="Search"
        value={params.get('text') ?? ''}
        set={(value) => set('text', value ?? '')}
        className={classes.typed}
      />
      <TextFilter
        label="Labels"
        placeholder="team=shop"
        value={params.get('labels') ?? ''}
        set={(value) => set('labels', value ?? '')}
        className={classes.typed}
      />
      <SegmentedControl
        size="xs"
        aria-label="Which ones"
        data={shows}
        value={params.get('show') ?? ''}
        onChange={(value) => set('show', value)}
        className={classes.shows}
      />
      <Text size="sm" c="dimmed" ml="auto" aria-live="polite">
        {total === null ? '' : counted(total, 'topology', 'topologies')}
      </Text>
    </Group>
  )
}
