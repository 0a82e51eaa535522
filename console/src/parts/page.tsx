import { Anchor, Breadcrumbs, Group, Stack, Title } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { NotUpdated } from './not-updated.tsx'
import classes from './page.module.css'

interface PageProps {
  readonly title: string
  /** Instead of the title, with a heading of its own. */
  readonly heading?: ReactNode
  /** At the right of the title. */
  readonly actions?: ReactNode
  readonly children: ReactNode
  /** Uses all of the height, and scrolls inside. */
  readonly full?: boolean
  /** Nothing of what was read before is shown. */
  readonly isEmpty?: boolean
}

/** A page: its title in the tab and above it, its actions beside it. */
export function Page({ title, heading, actions, children, full = false, isEmpty = false }: PageProps) {
  useDocumentTitle(`${title} · Sluiceway`)
  return (
    <Stack gap="sm" className={full ? classes.full : classes.page}>
      <Group justify="space-between" gap="sm" wrap="wrap" mih={32}>
        {heading ?? <Title order={1}>{title}</Title>}
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {!isEmpty && <NotUpdated />}
      {children}
    </Stack>
  )
}

interface CrumbsProps {
  /** What it is one of, the widest first. */
  readonly of: readonly { readonly title: string; readonly href: string }[]
  readonly title: string
}

/** The heading of one of many, with the way back. */
export function Crumbs({ of, title }: CrumbsProps) {
  return (
    <Breadcrumbs>
      {of.map(({ title: name, href }) => (
        <Anchor key={href} component={Link} href={href}>
          {name}
        </Anchor>
      ))}
      <Title order={1} style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}>
        {title}
      </Title>
    </Breadcrumbs>
  )
}
