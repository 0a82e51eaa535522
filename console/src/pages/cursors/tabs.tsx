import { Button, Group } from '@mantine/core'
import { Link, useLocation } from 'wouter'

const tabs = [
  { path: '/cursors', title: 'Readings' },
  { path: '/cursors/watermarks', title: 'Watermarks' },
]

/** Where a run is in what it reads, and where the next run begins. */
export function ReadingTabs() {
  const [path] = useLocation()
  return (
    <Group component="nav" gap={4} aria-label="Cursors and watermarks">
      {tabs.map(({ path: to, title }) => (
        <Button
          key={to}
          component={Link}
          href={to}
          variant={path === to ? 'default' : 'subtle'}
          color={path === to ? '' : 'gray'}
          aria-current={path === to ? 'page' : undefined}
        >
          {title}
        </Button>
      ))}
    </Group>
  )
}
