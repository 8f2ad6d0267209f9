import "./styles.css";
import "./person.css";
import "./conversation.css";
import { loadConfiguration } from "./configuration";
import { element } from "./element";
import { SideBySide } from "./side_by_side";

async function open(): Promise<void> {
  const configuration = await loadConfiguration();
  const userId = new URLSearchParams(location.search).get("user");
  if (userId === null) {
    new SideBySide(configuration).open(document.body);
    return;
  }
  const person = configuration.people.find((each) => each.userId === userId);
  if (person === undefined) throw new Error(`config.json names no person called ${userId}`);
  // The page around the panes needs no SDK.
  const { PersonPage } = await import("./person_page");
  new PersonPage(configuration, person).open(document.body);
}

open().catch((failure: Error) => {
  const text = element("p", "", { text: failure.message });
  const help = element("p", "start-help", {
    text: "“cargo xtask demo” starts a server, writes config.json and serves this page.",
  });
  document.body.replaceChildren(element("main", "start-failure", { attributes: { role: "alert" } }, [text, help]));
});
