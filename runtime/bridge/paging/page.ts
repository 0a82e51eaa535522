import type { Message } from '../../protocol/message.ts'
import type { PageRead } from '../../protocol/outcome.ts'

/** What of a message says which page it asks for. */
type Asking = Pick<Message, 'id' | 'tenant' | 'page' | 'cursor' | 'edit' | 'since' | 'reconcile'>

/** What the recorder hears of a page. */
export function pageRead(
  { id, tenant, page, cursor, edit, since, reconcile }: Asking,
  { next, watermark, progress, commit }: Pick<PageRead, 'next' | 'watermark' | 'progress' | 'commit'>,
): PageRead {
  return { message: id, tenant, page, cursor, next, watermark, progress, edit, since, reconcile, commit }
}
