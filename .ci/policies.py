"""Writes the identity policies of an emitted Pulumi program as plain IAM documents, one file a policy, for linters.

    policies.py FOLDER < program.json

References such as ${moviesTopic.arn} become the ARN that the resource would have: linters compare the kind of a
resource with its actions.
"""

import json
import pathlib
import re
import sys

PSEUDO = {"partition": "aws", "region": "eu-central-1", "accountId": "123456789012"}

# Where a type's name stands among its properties, and the ARN made from it.
ARNS = {
    "aws:cloudwatch:LogGroup": ("name", "arn:aws:logs:eu-central-1:123456789012:log-group:{}"),
    "aws:kms:Key": (None, "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    "aws:s3:Bucket": ("bucket", "arn:aws:s3:::{}"),
    "aws:sns:Topic": ("name", "arn:aws:sns:eu-central-1:123456789012:{}"),
    "aws:sqs:Queue": ("name", "arn:aws:sqs:eu-central-1:123456789012:{}"),
    "aws:ssm:Parameter": ("name", "arn:aws:ssm:eu-central-1:123456789012:parameter{}"),
}


def resolve(reference, resources):
    if reference in PSEUDO:
        return PSEUDO[reference]
    name, attribute = reference.split(".", 1)
    resource = resources[name]
    if attribute != "arn":
        raise SystemExit(f"policies.py does not know the attribute {attribute} of {name}")
    if resource["type"] not in ARNS:
        raise SystemExit(f"policies.py does not know the ARN of a {resource['type']} ({name})")
    key, arn = ARNS[resource["type"]]
    return fill(arn.format(resource["properties"][key] if key else ""), resources)


def fill(text, resources):
    filled = re.sub(r"(?<!\$)\$\{([^}]+)\}", lambda match: resolve(match[1], resources), text)
    return filled.replace("$$", "$")


def main():
    folder = pathlib.Path(sys.argv[1])
    resources = json.load(sys.stdin)["resources"]
    policies = {name: r for name, r in resources.items() if r["type"] == "aws:iam:RolePolicy"}
    if not policies:
        raise SystemExit("the program has no role policy")
    for name, resource in policies.items():
        document = json.dumps(resource["properties"]["policy"]["fn::toJSON"])
        (folder / f"{name}.json").write_text(fill(document, resources), encoding="utf-8")


main()
