import type { ComponentType } from 'react'
import type { IconName } from '../parts/icons.tsx'

/** What the `route.ts` in the folder of a page says of it. A new page is a new folder; nothing else has to know of it. */
export interface PageRoute {
  /** Of wouter: `/topologies/:topology`. */
  readonly path: string
  readonly title: string
  /** Its place in the menu; null: it isn't in it. */
  readonly menu: { readonly order: number; readonly icon: IconName } | null
  /** What it shows may get another name while it is looked at: the page knows by itself what it shows. Any other begins anew at each path. */
  readonly isRenamed?: boolean
  /** Also for a token that is good for one topology only. */
  readonly forOneTopology?: boolean
  /** Loaded when it is opened first. */
  readonly load: () => Promise<{ default: ComponentType }>
}
