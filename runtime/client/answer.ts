import { Unavailable } from '../errors.ts'

/** A success as `openapi-fetch` answers it; what is none was thrown. */
type Success<R> = Extract<R, { error?: never }>

export interface Answer<T> {
  readonly data: T
  /** For `If-Match`; null when the answer has none. */
  readonly etag: string | null
}

type Responded = { readonly data?: unknown; readonly error?: unknown; readonly response: Response }

/** Data and ETag of what was asked. */
export async function answerOf<R extends Responded>(asked: Promise<R>): Promise<Answer<Success<R>['data']>> {
  const { data, response } = await understood(asked)
  return { data, etag: response.headers.get('etag') }
}

/** Data of what was asked, for those who send no `If-Match` afterwards. */
export async function dataOf<R extends Responded>(asked: Promise<R>): Promise<Success<R>['data']> {
  return (await understood(asked)).data
}

/** Header of a change that is based on a read. */
export function ifMatch(etag: string | null): Record<string, string> {
  return etag === null ? {} : { 'if-match': etag }
}

async function understood<R extends Responded>(asked: Promise<R>): Promise<R> {
  try {
    return await asked
  } catch (error) {
    // Only the body of an answer is parsed here.
    if (!(error instanceof SyntaxError)) throw error
    throw new Unavailable('engine', 'the engine answered what is no JSON: check its url', { cause: error })
  }
}
