import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` serves the sources and asks the server at ACCREDIT_URL for everything else.
const server = process.env.ACCREDIT_URL ?? "http://127.0.0.1:8080";
const proxied = ["/v1", "/hooks", "/openapi.json", "/docs", "/problems", "/version"];

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2022",
    // A `data:` address is not among the images that the server's policy of contents allows.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    // The screens read the language's functions, the schema of plans and the shipped policies from `scripts/`.
    fs: { allow: ["../.."] },
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: false }])),
  },
});
