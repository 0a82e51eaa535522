import { Anchor } from '@mantine/core'
import { Link } from 'wouter'
import type { AuditEntry } from '../../api/engine.ts'
import { Mono } from '../../parts/show/facts.tsx'

const pages: Partial<Record<AuditEntry['target']['kind'], string>> = {
  topology: '/topologies',
  run: '/runs',
  trash: '/trash',
  worker: '/workers',
  service: '/services',
  cursor: '/cursors',
  watermark: '/cursors/watermarks',
}

/** What was changed; what is deleted leads nowhere. */
export function Target({ entry: { target, after } }: { readonly entry: AuditEntry }) {
  const { kind, id, name } = target
  const page = pages[kind]
  const text = name ?? <Mono>{id.slice(0, 16)}</Mono>
  if (page === undefined || after === null)
    return (
      <>
        {kind} {text}
      </>
    )
  return (
    <>
      {kind}{' '}
      <Anchor component={Link} href={`${page}/${id}`} size="sm">
        {text}
      </Anchor>
    </>
  )
}
