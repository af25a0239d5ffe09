import { post } from "./api.js";
import { remember } from "./session.js";
import { $, onSubmit, start } from "./shell.js";

if (start()) location.replace("/dashboard");
onSubmit($("#register"), async ({ display_name, email, password }) => {
  await post("/auth/register", { display_name, email, password });
  remember(await post("/auth/login", { email, password }));
  location.assign("/dashboard");
});
