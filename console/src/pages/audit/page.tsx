import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { dataOf, engine } from '../../api/engine.ts'
import type { AuditEntry } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useWhyNot } from '../../api/session.ts'
import { Empty } from '../../parts/empty.tsx'
import { Icon } from '../../parts/icons.tsx'
import { FilterBar, FilterText, useFilters } from '../../parts/table/filters.tsx'
import type { Filters } from '../../parts/table/filters.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { ShowAll } from '../../parts/table/show-all.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Time } from '../../parts/show/time.tsx'
import { Difference } from './difference.tsx'
import { Target } from './target.tsx'

const names = ['who', 'action', 'topology', 'since', 'until'] as const
type Name = (typeof names)[number]

export default function AuditPage() {
  const lacking = useWhyNot('admin')
  if (lacking === null) return <Audit />
  return (
    <Page title="Audit">
      <Empty icon="audit" title="Only administrators see the audit log">
        {lacking}: the log tells of tokens and of all topologies.
      </Empty>
    </Page>
  )
}

function Audit() {
  const filters = useFilters(names)
  const { asked } = filters
  const query = { ...asked, ...instants(asked) }
  const list = useList({
    queryKey: keys.audit(query),
    ask: (after) => dataOf(engine.GET('/api/audit', { params: { query: { ...query, ...after } } })),
  })
  return (
    <Page
      title="Audit"
      actions={
        <Button variant="default" leftSection={<Icon name="refresh" size={13} />} onClick={list.again}>
          Look again
        </Button>
      }
    >
      <AuditFilters filters={filters} actions={[...new Set(list.items.map(({ action }) => action))].sort()} />
      <Listed
        list={list}
        empty={
          <Empty icon="audit" title={filters.isAny ? 'No change is like that' : 'Nothing was changed yet'}>
            Every change over the API is written here with who made it, in the same transaction; starts of runs are
            runs, not changes.
            {filters.isAny && <ShowAll clear={() => filters.clear()} />}
          </Empty>
        }
      >
        {(items) => <Entries items={items} />}
      </Listed>
    </Page>
  )
}

/** The fields hold local times; the API is asked for instants. */
function instants(asked: Partial<Record<Name, string>>): { since?: string; until?: string } {
  const { since, until } = asked
  return {
    ...(since !== undefined && { since: instant(since) }),
    ...(until !== undefined && { until: instant(until) }),
  }
}

function instant(local: string): string {
  const at = new Date(local)
  return Number.isNaN(at.getTime()) ? local : at.toISOString()
}

interface AuditFiltersProps {
  readonly filters: Filters<Name>
  readonly actions: readonly string[]
}

function AuditFilters({ filters, actions }: AuditFiltersProps) {
  return (
    <FilterBar>
      <FilterText filters={filters} name="who" label="Who" />
      <FilterText filters={filters} name="action" label="Action" suggestions={actions} />
      <FilterText filters={filters} name="topology" label="Topology" />
      {(['since', 'until'] as const).map((name) => (
        <TextInput
          key={name}
          type="datetime-local"
          w={230}
          aria-label={name === 'since' ? 'Since' : 'Until'}
          leftSection={name === 'since' ? 'Since' : 'Until'}
          leftSectionWidth={50}
          leftSectionProps={{ style: { fontSize: 12 } }}
          value={filters.values[name]}
          onChange={(event) => filters.set(name, event.currentTarget.value)}
        />
      ))}
    </FilterBar>
  )
}

function Entries({ items }: { readonly items: readonly AuditEntry[] }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const toggle = (id: string): void =>
    setOpen((known) => {
      const next = new Set(known)
      if (!next.delete(id)) next.add(id)
      return next
    })
  const columns: readonly Column<AuditEntry>[] = [
    { title: 'When', cell: ({ at }) => <Time at={at} />, tight: true },
    { title: 'Who', cell: ({ who }) => who },
    { title: 'Did', cell: ({ action }) => words(action) },
    { title: 'To', cell: (entry) => <Target entry={entry} /> },
    {
      title: 'Difference',
      cell: ({ id }) => (
        <Button variant="subtle" size="compact-xs" aria-expanded={open.has(id)} onClick={() => toggle(id)}>
          {open.has(id) ? 'Hide' : 'What differs'}
        </Button>
      ),
      bare: true,
      tight: true,
    },
  ]
  return (
    <Rows
      label="Changes"
      columns={columns}
      items={items}
      idOf={({ id }) => id}
      more={(entry) => open.has(entry.id) && <Difference entry={entry} />}
    />
  )
}

/** `publishTopology` as people read it. */
function words(action: string): string {
  return action.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
