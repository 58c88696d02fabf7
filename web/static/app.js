// Everything here is a comfort: each page works without it.
import { keys } from "./keys.js";
import { rows } from "./rows.js";
import { times } from "./times.js";

rows(document);
times(document);
keys(document);
