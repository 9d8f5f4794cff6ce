"""Plays a developer with podio-python: logs in through the browser's page, reads what there is, makes
an item, a task and a hook. Prints one JSON line a step; an assertion that fails ends it."""

import json
import os
from urllib.parse import parse_qs, urlparse

import requests
from podio.client import Client
from podio.exceptions import UnauthorizedError, WrongFormatInputError

API = os.environ["API_URL"].rstrip("/")
APP = int(os.environ["APP_ID"])
REDIRECT = "http://localhost:9/done"


def say(**step):
    print(json.dumps(step), flush=True)


def refused(error, call, *args):
    try:
        call(*args)
    except error as refusal:
        return refusal.args[0]
    raise AssertionError(f"{call.__name__}{args} was not refused")


Client.URL = f"{API}/"
Client.AUTH_URL = f"{API}/oauth/authorize?"
client = Client(
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    redirect_uri=REDIRECT,
)

page = requests.get(client.authorization_url("state"), allow_redirects=False, timeout=20)
landed = parse_qs(urlparse(page.headers["location"]).query)
assert landed["state"] == ["state"], landed
tokens = client.get_access_token(landed["code"][0])
tokens = client.refresh_token(tokens["refresh_token"])
client.set_token("never-valid")
expired = refused(UnauthorizedError, client.get_user_status)
assert expired["error_description"] == "expired_token", expired
client.set_token(tokens["access_token"])
say(step="login", user=client.get_user_status()["user"]["mail"])

org = client.list_organizations()[0]
space = client.get_organization_spaces(org["org_id"])[0]
assert client.get_space(space["space_id"])["name"] == space["name"]
members = [member["profile"]["name"] for member in client.get_space_members(space["space_id"])]
apps = [app["app_id"] for app in client.list_applications()]
assert APP in apps, apps
fields = {field["external_id"]: field["type"] for field in client.get_application(APP)["fields"]}
say(step="place", members=members, due=fields["due"])

made = client.create_item(APP, {"fields": {"title": "Desk", "due": {"start": "2026-11-23 14:30:00"}}})
item = client.get_item(made["item_id"])
due = next(field for field in item["fields"] if field["external_id"] == "due")["values"][0]
say(step="item", title=item["title"], due=due["start_utc"], via=item["created_via"]["name"])

task = client.create_task({"text": "Call", "ref_type": "item", "ref_id": made["item_id"], "labels": ["phone"]})
assert client.get_task(task["task_id"])["ref"]["id"] == made["item_id"]
say(step="task", labels=[label["text"] for label in client.get_task_labels()])

hook = client.create_webhook("app", APP, "http://127.0.0.1:9/hook", "item.update")["hook_id"]
listed = {hook["hook_id"]: hook["status"] for hook in client.list_webhooks("app", APP)}
wrong = refused(WrongFormatInputError, client.validate_hook_verification, hook, "00000000")
unknown = refused(WrongFormatInputError, client.create_webhook, "app", APP, "http://127.0.0.1:9/", "item.moved")
client.delete_webhook(hook)
assert client.list_webhooks("app", APP) == []
say(step="hook", status=listed[hook], wrong=wrong["error"], unknown=unknown["error"])
