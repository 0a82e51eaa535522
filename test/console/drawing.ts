/** Parts of the editor, as people find them. */
import type { Locator, Page } from 'playwright-core'

export const palette = (page: Page, name: string): Locator =>
  page.getByRole('group', { name: 'Nodes to add' }).getByRole('button', { name })

export const card = (page: Page, name: string): Locator =>
  page.getByLabel('The graph of the draft').getByRole('button', { name: new RegExp(`^${name},`) })

export const form = (page: Page, name: string): Locator => page.getByRole('complementary', { name: `Node ${name}` })

export const saved = (page: Page): Locator => page.getByRole('status').getByText('Saved', { exact: true })
