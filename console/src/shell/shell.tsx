import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useEffect } from 'react'
import { Link, useLocation } from 'wouter'
import { useSession } from '../api/session.ts'
import { Icon } from '../parts/icons.tsx'
import { menu } from '../pages/routes.ts'
import { Account } from './account.tsx'
import { LiveSign } from './live-sign.tsx'
import { Mark } from './mark.tsx'
import { Pages } from './pages.tsx'
import { SchemeSwitch } from './scheme-switch.tsx'
import { Search } from './search.tsx'
import classes from './shell.module.css'

/** What stands around every page. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure()
  const [path] = useLocation()
  useEffect(close, [path, close])
  return (
    <AppShell header={{ height: 44 }} navbar={{ width: 184, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}>
      <a href="#page" className={classes.skip}>
        Skip to the page
      </a>
      <AppShell.Header className={classes.header}>
        <Group gap="xs" wrap="nowrap">
          <Burger
            opened={isOpen}
            onClick={toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
          />
          <Link href="/topologies" className={classes.home} aria-label="Sluiceway">
            <Mark />
            <Text span fw={600} visibleFrom="xs">
              Sluiceway
            </Text>
          </Link>
        </Group>
        <Group gap={6} wrap="nowrap">
          <LiveSign />
          <Search />
          <SchemeSwitch />
          <Account />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p={8} aria-label="Pages">
        <Menu path={path} />
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} className={classes.main}>
        <Pages />
      </AppShell.Main>
    </AppShell>
  )
}

function Menu({ path }: { readonly path: string }) {
  const { topologyId } = useSession()
  const shown = topologyId === null ? menu : menu.filter(({ forOneTopology }) => forOneTopology === true)
  return shown.map(({ path: to, title, icon }) => {
    const isHere = path === to || path.startsWith(`${to}/`)
    return (
      <NavLink
        key={to}
        component={Link}
        href={to}
        label={title}
        active={isHere}
        aria-current={isHere ? 'page' : undefined}
        leftSection={<Icon name={icon} />}
        className={classes.link}
      />
    )
  })
}
