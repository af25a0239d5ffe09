import { post } from "./api.js";
import { remember } from "./session.js";
import { $, destination, onSubmit, start } from "./shell.js";

if (start()) location.replace(destination());
onSubmit($("#login"), async (credentials) => {
  remember(await post("/auth/login", credentials));
  location.assign(destination());
});
