import { Button, Center, Loader } from '@mantine/core'
import { QueryErrorResetBoundary } from '@tanstack/react-query'
import { Component, Suspense } from 'react'
import type { ReactNode } from 'react'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'
import { useSession } from '../api/session.ts'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { Problem } from '../parts/problem.tsx'
import { routes } from '../pages/routes.ts'

/** The page of the address. */
export function Pages() {
  const { topology } = useSession()
  const [path] = useLocation()
  return (
    <QueryErrorResetBoundary>
      <Caught path={path}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            {routes.map(({ path: pattern, isRenamed = false, Component }) => (
              <Route key={pattern} path={pattern}>
                <Component key={isRenamed ? pattern : path} />
              </Route>
            ))}
            <Route path="/">
              <Redirect to={topology === null ? '/topologies' : `/topologies/${topology}`} replace />
            </Route>
            <Route>
              <Page title="Nothing here">
                <Empty icon="search" title="There is no such page">
                  The address may be mistyped, or from another version.
                  <Button component={Link} href="/topologies" variant="default" mt="sm">
                    To the topologies
                  </Button>
                </Empty>
              </Page>
            </Route>
          </Switch>
        </Suspense>
      </Caught>
    </QueryErrorResetBoundary>
  )
}

function Waiting() {
  return (
    <Center h={240}>
      <Loader size="sm" aria-label="Loading" />
    </Center>
  )
}

interface CaughtProps {
  readonly path: string
  readonly children: ReactNode
}

interface CaughtState {
  readonly path: string
  /** Null: none. */
  readonly error: unknown
}

/** A page that fails as it is drawn leaves the shell standing, and other pages as they are. */
class Caught extends Component<CaughtProps, CaughtState> {
  override state: CaughtState = { path: this.props.path, error: null }

  static getDerivedStateFromProps({ path }: CaughtProps, state: CaughtState): CaughtState | null {
    return path === state.path ? null : { path, error: null }
  }

  static getDerivedStateFromError(error: unknown): Partial<CaughtState> {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children
    return (
      <Page title="That went wrong">
        <Problem error={this.state.error} again={() => window.location.reload()} />
      </Page>
    )
  }
}
