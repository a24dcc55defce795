# The server as a container: compiled, without development packages, as an ordinary user on a read-only root file
# system. Only PATMINT_DATA_DIR is written to, and only by a first start that has to make the admin's secrets.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Compiling needs no package's install script: neither the embedded Postgres nor a second Node.js is unpacked.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
# Without the optional embedded Postgres: a container is given a database by PATMINT_DATABASE_URL.
RUN npm ci --omit=dev --omit=optional

FROM node:24-bookworm-slim
ENV NODE_ENV=production
ENV PATMINT_HOST=0.0.0.0
ENV PATMINT_DATA_DIR=/var/lib/patmint
# The owner and the mode of this folder are what a new volume starts with.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/patmint
WORKDIR /app
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
# Modes are set because those of a checkout depend on its owner's umask.
COPY --chmod=0755 migrations ./migrations
COPY --chmod=0755 bin ./bin
COPY --chmod=0644 package.json ./
USER 1000:1000
VOLUME /var/lib/patmint
EXPOSE 8693
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PATMINT_PORT || 8693) + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/patmint-server.js"]
CMD ["serve"]
