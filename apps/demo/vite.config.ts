import { defineConfig } from "vite";

export default defineConfig({
  // The page may be served from any folder of any host.
  base: "./",
  resolve: {
    // The package names only its script form as its entry; this is its ES module.
    alias: [{ find: /^@tencentcloud\/chat$/, replacement: "@tencentcloud/chat/index.es.js" }],
  },
  build: {
    target: "es2022",
    // The SDK alone is above the default limit.
    chunkSizeWarningLimit: 700,
  },
});
