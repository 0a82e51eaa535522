import { openEngine } from '../../../runtime/client/index.ts'

export { answerOf, dataOf, ifMatch, statusOf } from '../../../runtime/client/index.ts'
export type * from '../../../runtime/client/openapi.d.ts'

/** The engine that serves this page. What changes something carries the header that only pages of its own can send. */
export const engine = openEngine({
  url: window.location.origin,
  names: { url: 'the address of this page', token: 'the login' },
})

engine.use({
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('sluice-csrf', '1')
    return request
  },
})
