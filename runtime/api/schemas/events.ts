import { z } from '@hono/zod-openapi'

export const eventStream = {
  'text/event-stream': {
    schema: z.string().openapi('EventStream', {
      description: 'As the HTML standard defines `text/event-stream`',
      example: 'id: m3x9-17\nevent: run\ndata: {"topologyId":"…","runId":"…","state":"finished"}\n\n',
    }),
  },
}
