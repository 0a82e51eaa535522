# One image for every role: sluice control, sluice bridge, sluice migrate, and the sample workers.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY workers/sdk/package.json workers/sdk/
COPY workers/samples/package.json workers/samples/
COPY console/package.json console/
# Nothing that we install needs an install script (allowScripts in package.json), and our own builds the SDK: done below.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY bin/ bin/
COPY runtime/ runtime/
COPY workers/sdk/ workers/sdk/
COPY workers/samples/ workers/samples/
COPY console/ console/
# The embedded Postgres is for one machine without containers: here it would be dead weight.
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules/ node_modules/
COPY --from=build /app/workers/sdk/package.json workers/sdk/
COPY --from=build /app/workers/sdk/dist/ workers/sdk/dist/
COPY --from=build /app/workers/samples/package.json workers/samples/
COPY --from=build /app/dist/ dist/
COPY migrations/ migrations/
USER node
# Health checks are compose.yaml's: they differ from role to role.
ENTRYPOINT ["node", "dist/runtime/main.js"]
