# Portico in a container. Everything that lasts is in /data; settings come from the environment (PORTICO_…) or from a file:
#   docker build -t portico .
#   docker run -d --name portico -p 8008:8008 -v portico:/data -e PORTICO_SERVER_NAME=example.org portico
#   docker exec portico portico user add alice --admin

FROM node:24-bookworm-slim AS install
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/storage/package.json packages/storage/
COPY packages/server/package.json packages/server/
COPY packages/web/package.json packages/web/
COPY packages/testkit/package.json packages/testkit/
# Brings the pinned runtime along, and leaves out what only tests need.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/node-linux-*/include node_modules/node-linux-*/share
COPY bin bin
COPY packages packages

FROM debian:bookworm-slim
# The runtime is linked to libatomic.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libatomic1 && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --user-group --no-create-home portico \
  && install -d -o portico -g portico -m 0700 /data \
  && ln -s /app/bin/portico /usr/local/bin/portico
COPY --from=install /app /app
ENV PORTICO_DATA_DIR=/data \
  PORTICO_LISTENERS='[{"address":"0.0.0.0","port":8008,"serve":["client","federation","admin","web"]}]' \
  NODE_COMPILE_CACHE=/data/.compile-cache
USER portico
VOLUME /data
EXPOSE 8008
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["/app/node_modules/.bin/node", "-e", "fetch('http://127.0.0.1:8008/_matrix/client/versions').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["portico"]
CMD ["serve"]
