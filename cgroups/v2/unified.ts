/** @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#unified @module */
import { fileController, type Setting } from "../controller.ts";

/** Files by name, after all others: they have the last word. A line is a write. */
export const unified = fileController({
  name: "unified",
  settings({ unified = {} }) {
    return Object.entries(unified).flatMap(([file, text]) =>
      text.split("\n").filter((line, index) => line !== "" || index === 0)
        .map((value): Setting => ({ file, value, member: `/unified/${file}` }))
    );
  },
});
