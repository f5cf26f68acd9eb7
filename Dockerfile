# Pharos with its shipped model. Facts go to /data; nothing else is written.
#   docker build -t pharos . && docker run --read-only --tmpfs /tmp -v pharos:/data -p 127.0.0.1:8080:8080 -e PHAROS_API_KEYS=choose-a-key pharos

FROM node:24-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package needs its install script: ONNX Runtime comes with its libraries, and those of other systems are not needed.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/onnxruntime-node/bin/napi-v6/darwin node_modules/onnxruntime-node/bin/napi-v6/win32

FROM node:24-slim
# Large blocks go back to the system when a model is closed (MALLOC_MMAP_THRESHOLD_ of glibc).
ENV NODE_ENV=production \
    PHAROS_HOST=0.0.0.0 \
    PHAROS_PORT=8080 \
    PHAROS_DATA=/data \
    MALLOC_MMAP_THRESHOLD_=1048576
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY graph ./graph
COPY routes ./routes
COPY examples ./examples
COPY models ./models
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PHAROS_PORT}/readyz`).then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/start.ts"]
