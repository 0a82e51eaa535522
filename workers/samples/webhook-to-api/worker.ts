import { end, worker, type Call, type Worker } from '@sluiceway/worker'

/** What GitHub sends of an issue, as far as it is read. */
interface IssueEvent {
  readonly action?: string
  readonly issue?: { readonly number: number; readonly title: string; readonly html_url: string }
  readonly repository?: { readonly full_name: string }
}

interface Ticket {
  readonly reference: string
  readonly title: string
  readonly link: string
}

/** The worker of the topology `webhook-to-api`: pick → open-ticket. `apiUrl` is that of the ticket system. */
export function ticketWorker(apiUrl: string): Worker {
  return worker({ name: 'webhook-to-api', version: '1.0.0', baseUrl: apiUrl })
    .custom('pick', { title: 'Pick issues that were opened' }, ({ body, headers }: Call<IssueEvent>) => {
      const { action, issue, repository } = body
      const isOpened = headers['x-github-event'] === 'issues' && action === 'opened'
      if (!isOpened || !issue || !repository) return end()
      const { number, title, html_url: link } = issue
      return { reference: `${repository.full_name}#${number}`, title: title.trim(), link } satisfies Ticket
    })
    .connector('open-ticket', { title: 'Open a ticket' }, async ({ body, http }: Call<Ticket>) => {
      // It carries the idempotency key, so that a call that is made again opens no second ticket.
      await http.post('/tickets', body)
    })
}

export default ticketWorker(process.env['TICKETS_URL'] ?? 'http://127.0.0.1:8090')
