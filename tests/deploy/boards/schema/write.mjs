// Writes one JSON object to stdout: the schemas of a board, and of what each kind of panel may say.
import { createGenerator } from "ts-json-schema-generator";

const PANELS = "node_modules/@grafana/schema/dist/types/raw/composable";
const types = { board: ["board.d.ts", "Board"] };
for (const kind of ["gauge", "stat", "statetimeline", "table", "timeseries"]) {
  types[`${kind} options`] = [`${PANELS}/${kind}/panelcfg/x/types.gen.d.ts`, "Options"];
}
for (const kind of ["statetimeline", "table", "timeseries"]) {
  types[`${kind} custom`] = [`${PANELS}/${kind}/panelcfg/x/types.gen.d.ts`, "FieldConfig"];
}
const schemas = {};
for (const [name, [path, type]] of Object.entries(types)) {
  schemas[name] = createGenerator({ path, type, skipTypeCheck: true }).createSchema(type);
}
console.log(JSON.stringify(schemas));
