/** The shape of what a document says of a webhook node: `verify`, `handshake` and `accept`. */
import { z } from 'zod'
import { algorithms, bodyMaxBytes, encodings, schemes, timedSchemes, webhookMethods } from './config.ts'
import { deliveryIdForms, deliveryIdPattern, parseIdSource, parseSource, tenantForms, tenantPattern } from './source.ts'

const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected the name of a header')
const parameter = z
  .string()
  .max(100)
  .regex(/^[^\s&=#]+$/, 'expected the name of a query parameter')
const prefix = z
  .string()
  .max(50)
  .regex(/^[\x20-\x7e]*$/, 'expected printable ASCII')

const fault = (message: string, path: PropertyKey[] = []) => ({ code: 'custom' as const, path, message })

const isTimed = (scheme: string): boolean => (timedSchemes as readonly string[]).includes(scheme)

/** Which scheme each option is for. */
const optionOf: Readonly<Record<string, (scheme: string) => boolean>> = {
  header: (scheme) => scheme === 'hmac' || scheme === 'token',
  prefix: (scheme) => scheme === 'hmac' || scheme === 'token',
  algorithm: (scheme) => scheme === 'hmac',
  encoding: (scheme) => scheme === 'hmac',
  toleranceSeconds: isTimed,
}

export const verifySchema = z
  .strictObject({
    scheme: z.enum(schemes).describe('Whose way of signing it is'),
    header: headerName.optional().describe('Of hmac and token: where the signature or the token stands'),
    algorithm: z.enum(algorithms).optional().describe('Of hmac; default sha256'),
    encoding: z.enum(encodings).optional().describe('Of hmac; default hex'),
    prefix: prefix.optional().describe('Of hmac and token: what stands before it, such as "sha256="'),
    toleranceSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .describe('Of standard-webhooks, stripe and slack: how far the signed time may be from ours; default 300'),
  })
  .superRefine((verify, context) => {
    const { scheme } = verify
    for (const [option, isFor] of Object.entries(optionOf))
      if (option in verify && !isFor(scheme)) context.addIssue(fault(`the scheme ${scheme} has no ${option}`, [option]))
    if (scheme === 'hmac' && verify.header === undefined)
      context.addIssue(fault('the scheme hmac needs header: where the signature stands'))
  })

export const handshakeSchema = z
  .strictObject({
    query: parameter.optional().describe('Query parameter that is echoed, such as hub.challenge'),
    token: parameter.optional().describe("With query: the parameter that has to be the node's verify token"),
    body: z
      .string()
      .max(200)
      .refine((text) => parseSource(text)?.from === 'body', 'expected a JSON pointer such as /challenge')
      .meta({ pattern: '^/(?:[^~]|~[01])*$' })
      .optional()
      .describe('JSON pointer to the text in the body that is echoed, such as /challenge'),
    when: z
      .record(z.string().min(1).max(100), z.string().max(200))
      .optional()
      .describe('With body: what fields of the body have to be, such as type: url_verification'),
  })
  .superRefine(({ query, token, body, when }, context) => {
    if ((query === undefined) === (body === undefined)) context.addIssue(fault('a handshake needs query or body'))
    if (token !== undefined && query === undefined) context.addIssue(fault('token goes with query', ['token']))
    if (when !== undefined && body === undefined) context.addIssue(fault('when goes with body', ['when']))
  })

const place = (is: (text: string) => boolean, forms: string, pattern: string) =>
  z.string().max(200).refine(is, `expected ${forms}`).meta({ pattern })

/** What would hand on the secret, or what is the message's own. */
const neverCarried = /^(authorization|proxy-authorization|cookie|content-type|content-length|host|connection)$/i

const carriedName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,90}$/, 'expected the name of a header')
  .refine((name) => !neverCarried.test(name), 'this header is never carried')

export const acceptSchema = z.strictObject({
  methods: z.array(z.enum(webhookMethods)).min(1).max(2).optional().describe('Default POST alone'),
  maxBytes: z.int().min(1).max(bodyMaxBytes).optional().describe('Larger bodies are refused; default 8 MiB'),
  headers: z.array(carriedName).max(50).optional().describe('More headers that go with the message, each as x-…'),
  tenant: place((text) => parseSource(text) !== null, tenantForms, tenantPattern)
    .optional()
    .describe('On whose behalf: query:NAME, header:NAME, a JSON pointer, or fixed:TENANT'),
  deliveryId: place((text) => text === 'none' || parseIdSource(text) !== null, deliveryIdForms, deliveryIdPattern)
    .optional()
    .describe('What calls a delivery, so that one that comes again is known; default by the scheme'),
})

/** Keys of the objects above, for suggestions. */
export const webhookKeys: Readonly<Record<string, readonly string[]>> = {
  verify: Object.keys(verifySchema.shape),
  handshake: Object.keys(handshakeSchema.shape),
  accept: Object.keys(acceptSchema.shape),
}
