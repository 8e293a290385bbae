"""Walks through pages with Debian's Chromium, and tells what was seen there.

    browse.py < TOURS

TOURS is a JSON list, each walked with a fresh profile:

    origin       where the pages are, such as http://127.0.0.1:8080
    width        of the window, in CSS pixels
    dark         whether dark pages are preferred
    scripts      whether scripts may run
    language     what the browser asks for
    headers      an object of headers that go along with every request
    steps        a list of objects, each with one key:
                     open    a path
                     fill    [LABEL, TEXT]: the field of this label gets this text
                     press   the button of this name
                     follow  the first link whose name has this in it
                     key     a key of the keyboard
                     look    null, or the file for a picture of the top of the window

Prints a JSON list with an object for each tour: foreign, the addresses of requests to any other
origin; complaints, what the browser wrote on its console, such as violations of a policy; and
seen, an object for each look:

    title, text      as a person reads them
    path             of the address that is shown
    focus            the text of what has the keyboard
    faults           what axe finds, each as "rule: element"; it needs scripts
    narrow           whether one must scroll sideways
    small            what is to be touched and is less than 44 pixels high
    colours          the background and the colour of the body
"""

import json
import signal
import sys
from importlib.resources import files
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
PHONE_WIDTH_MAX = 600
MILLIS_MAX = 20_000
SECONDS_MAX = 300

AUDIT = """async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.flatMap(rule =>
        rule.nodes.map(node => rule.id + ": " + node.html.slice(0, 200)));
}"""

MEASURE = """() => {
    const touched = document.querySelectorAll("button, input, nav a, header a");
    const high = element => element.getBoundingClientRect().height;
    const style = getComputedStyle(document.body);
    const root = document.documentElement;
    return {
        focus: document.activeElement.textContent.trim().slice(0, 100),
        narrow: root.scrollWidth > root.clientWidth,
        small: [...touched].filter(element => high(element) > 0 && high(element) < 43.9)
            .map(element => element.outerHTML.slice(0, 200)),
        colours: [style.backgroundColor, style.color],
    };
}"""


def main():
    # A page that never answers would hang whoever waits for us.
    signal.alarm(SECONDS_MAX)
    tours = json.load(sys.stdin)
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-font-subpixel-positioning"]
        )
        json.dump([walk(browser, tour, axe) for tour in tours], sys.stdout)
        browser.close()


def walk(browser, tour, axe):
    context = browser.new_context(
        viewport=viewport(tour["width"]),
        is_mobile=is_phone(tour["width"]),
        has_touch=is_phone(tour["width"]),
        color_scheme="dark" if tour["dark"] else "light",
        java_script_enabled=tour["scripts"],
        locale=tour["language"],
        extra_http_headers=tour["headers"],
    )
    context.set_default_timeout(MILLIS_MAX)
    page = context.new_page()
    foreign, complaints, seen = [], [], []
    page.on("request", lambda request: note_foreign(foreign, request.url, tour["origin"]))
    page.on("console", lambda message: complaints.append(message.text))
    for step in tour["steps"]:
        ((action, what),) = step.items()
        if action == "look":
            seen.append(look(page, what, axe if tour["scripts"] else None))
        else:
            act(page, tour["origin"], action, what)
    context.close()
    return {"foreign": foreign, "complaints": complaints, "seen": seen}


def act(page, origin, action, what):
    if action == "open":
        page.goto(origin + what)
    elif action == "fill":
        page.get_by_label(what[0], exact=True).fill(what[1])
    elif action == "press":
        # By the keyboard: a click waits for frames, which are not drawn where no script may run.
        with page.expect_navigation():
            page.get_by_role("button", name=what, exact=True).press("Enter")
    elif action == "follow":
        with page.expect_navigation():
            page.get_by_role("link", name=what).first.press("Enter")
    elif action == "key":
        page.keyboard.press(what)
    else:
        raise ValueError(action)


def look(page, picture, axe):
    if picture:
        top = {"x": 0, "y": 0, **page.viewport_size}
        top["height"] = 690 if is_phone(top["width"]) else 520
        page.screenshot(path=picture, clip=top, animations="disabled", caret="hide")
    faults = []
    if axe:
        # The protocol evaluates what a page's policy would not let a script tag run.
        page.evaluate(axe)
        faults = page.evaluate(AUDIT)
    return {
        "title": page.title(),
        "text": page.locator("body").inner_text(),
        "path": urlsplit(page.url).path,
        "faults": faults,
        **page.evaluate(MEASURE),
    }


def note_foreign(foreign, url, origin):
    if not url.startswith((origin + "/", "data:")):
        foreign.append(url)


def viewport(width):
    return {"width": width, "height": 844 if is_phone(width) else 720}


def is_phone(width):
    return width <= PHONE_WIDTH_MAX


if __name__ == "__main__":
    main()
