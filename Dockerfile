# syntax=docker/dockerfile:1.9
# One file for everything of Mayfly's own:
#   service    any of the six services: `node with-secrets.mjs services/NAME/dist/main.js`
#   jobs       what sets the system up: topics, databases, OpenBao, policies, the dev identity provider
#   collector, jaeger    the upstream programs beside a shell tool, so that their health can be asked

FROM node:24.21.0-bookworm-slim AS build
ENV NX_DAEMON=false NX_TUI=false
WORKDIR /build
COPY package.json package-lock.json .npmrc nx.json .swcrc ./
COPY libs libs
COPY services services
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
RUN npm run build

# What runs: packages without their sources, and only what they need at run time.
FROM build AS pruned
RUN --mount=type=cache,target=/root/.npm rm -rf node_modules && npm ci --omit=dev --omit=optional --ignore-scripts \
 && find libs services -name src -prune -exec rm -rf {} +

FROM node:24.21.0-bookworm-slim AS service
ENV NODE_ENV=production
WORKDIR /app
COPY --from=pruned /build/package.json ./
COPY --from=pruned /build/node_modules node_modules
COPY --from=pruned /build/libs libs
COPY --from=pruned /build/services services
COPY deploy/compose/with-secrets.mjs ./
USER node

FROM service AS jobs
COPY deploy/kafka/topics.json deploy/kafka/topics.mjs deploy/kafka/
COPY deploy/postgres deploy/postgres
COPY deploy/openbao deploy/openbao
COPY deploy/policies deploy/policies
COPY deploy/local deploy/local
COPY deploy/compose/identity.mjs deploy/compose/

FROM busybox:1.37.0 AS collector
COPY --from=otel/opentelemetry-collector:0.158.0 /otelcol /otelcol
USER 65532
ENTRYPOINT ["/otelcol"]

FROM busybox:1.37.0 AS jaeger
COPY --from=jaegertracing/jaeger:2.20.0 /cmd/jaeger/jaeger-linux /jaeger
ENV JAEGER_LISTEN_HOST=0.0.0.0
USER 65532
ENTRYPOINT ["/jaeger"]
