# The image of a server, examples/sentence-similarity/serve.mjs, for amd64 and arm64; an app of your own differs by its files.
# From a checkout: npm ci && npm run prebuild -- linux-x64 linux-arm64 && npm pack
#   docker buildx build --platform linux/amd64,linux/arm64 --tag sentence-similarity .
# scripts/test-clean-root.sh runs these steps as they stand (scripts/run-dockerfile.js).
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY examples/sentence-similarity ./
COPY tfjs-backend-graviton-*.tgz /tmp/
RUN npm install --no-save --no-audit --no-fund /tmp/tfjs-backend-graviton-*.tgz @huggingface/tokenizers@0.2 \
    @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-converter@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
# What a server does not read: source maps, types, bundles for browsers, and binaries of other systems.
RUN node -e "const fs = require('fs'), prebuilds = 'node_modules/tfjs-backend-graviton/prebuilds/'; \
    for (const file of fs.readdirSync('node_modules', {recursive: true})) if (/\.(map|d\.ts|min\.js)$/.test(file)) fs.rmSync('node_modules/' + file); \
    for (const folder of fs.readdirSync(prebuilds)) if (folder !== 'linux-' + process.arch) fs.rmSync(prebuilds + folder, {recursive: true})"

FROM debian:bookworm-slim
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
WORKDIR /app
ENV NODE_ENV=production PORT=8080
USER 65532:65532
EXPOSE 8080
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health').then((r) => process.exit(r.ok ? 0 : 1))"]
CMD ["node", "serve.mjs"]
