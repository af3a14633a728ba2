"""Holds the permissions of whoever deploys against what AWS says that each resource needs, and lints them.

    deployer.py TEMPLATE [TEMPLATE ...]        (with the Python that has cfn-lint and parliament)

For every resource type AWS publishes which actions creating, reading, updating and deleting it asks for; cfn-lint
brings these schemas along. Each of them is allowed by one of the policies or set aside below, and each action of the
policies is asked for by a schema or stands below. Pulumi's provider is not CloudFormation, so this is the nearest judge
to be had without an account, not a proof.
"""

import fnmatch
import json
import pathlib
import sys

import cfnlint
import parliament

POLICIES = ["pulumi/deployer-policy.json", "pulumi/deployer-policy-transaction-search.json"]

# The most that IAM takes as one managed policy, white space not counted
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
MAX_CHARACTERS = 6144

# What the CloudFormation form has no resource of its own for.
ALWAYS = ["AWS::IAM::RolePolicy", "AWS::SSM::Parameter"]

# Actions that a schema asks for and nobody here needs: reason -> type -> patterns.
SET_ASIDE = {
    "the program never sets this feature, so the provider has nothing to write": {
        "AWS::S3::Bucket": [
            "s3tables:*", "s3:*MetadataTable*", "s3:UpdateBucketMetadata*", "s3:*Analytics*", "s3:*IntelligentTiering*",
            "s3:*Inventory*", "s3:*MetricsConfiguration", "s3:*Notification", "s3:*OwnershipControls", "s3:PutAccelerate*",
            "s3:*BucketAbac", "s3:PutBucketAcl", "s3:PutObjectAcl", "s3:*BucketCors", "s3:PutBucketLogging",
            "s3:Put*ObjectLock*", "s3:*Replication", "s3:PutReplicationConfiguration", "s3:PutBucketWebsite",
            "s3:DeleteBucketWebsite",
        ],
        "AWS::SNS::Topic": ["sns:*DataProtectionPolicy"],
        "AWS::Logs::LogGroup": [
            "firehose:*", "logs:*DataProtectionPolicy", "logs:*IndexPolic*", "logs:PutBearerTokenAuthentication",
            "logs:PutLogGroupDeletionProtection", "logs:CreateLogDelivery", "s3:REST.PUT.OBJECT",
        ],
        "AWS::IAM::Role": ["iam:*PermissionsBoundary", "iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        "AWS::Lambda::Function": [
            "ec2:*", "elasticfilesystem:*", "s3files:*", "lambda:*CodeSigningConfig", "lambda:*RecursionConfig",
            "lambda:*ScalingConfig", "lambda:GetLayerVersion", "lambda:*RuntimeManagementConfig",
            "lambda:AssociateRuntimeAlias", "lambda:PassCapacityProvider", "lambda:PublishVersion",
        ],
    },
    "it has been on since the resource was made, and the program knows no way to take it off": {
        "AWS::KMS::Key": ["kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey"],
        "AWS::S3::Bucket": ["s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle"],
        "AWS::Logs::LogGroup": ["logs:DisassociateKmsKey", "logs:DeleteRetentionPolicy"],
    },
    # s3:GetObject is allowed for another end: README.md, Remove it, copies the movies first.
    "Pulumi uploads the code with the call; CloudFormation fetches it from a bucket": {
        "AWS::Lambda::Function": ["s3:GetObjectVersion"],
    },
}

# Actions that no schema asks for: reason -> actions.
BESIDES = {
    # Tags of buckets it reads and writes by s3:ListTagsForResource, s3:TagResource and s3:UntagResource, which schemas
    # ask for as well (https://github.com/hashicorp/terraform-provider-aws/pull/45251).
    "Pulumi's provider reads every setting of the resource": [
        "iam:ListInstanceProfilesForRole", "lambda:GetFunctionConfiguration", "lambda:ListEventSourceMappings",
        "lambda:ListVersionsByFunction", "s3:GetBucketLocation", "s3:GetBucketRequestPayment", "ssm:DescribeParameters",
        "ssm:GetParameter",
    ],
    "Pulumi empties a bucket that is not protected before it removes it": ["s3:DeleteObjectVersion", "s3:ListBucketVersions"],
    "README.md, Deploy, starts a run by hand": ["lambda:InvokeFunction"],
    "AWS demands it of whoever turns Transaction Search on "
    "(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search-getting-started.html)": [
        "cloudtrail:CreateServiceLinkedChannel",
    ],
}

# Parliament's findings that are let pass: (issue, a part of its detail) -> reason.
SILENCED = {
    ("RESOURCE_STAR", "cloudwatch:PutCompositeAlarm"):
        "a composite alarm is made and described by those alone who may do so on *: "
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html",
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "s3:PutObject not being allowed"):
        "who sets the bucket's policy is trusted with its objects; the bucket blocks public policies",
}


def as_list(value):
    return value if isinstance(value, list) else [value]


def schemas():
    folder = pathlib.Path(cfnlint.__file__).parent / "data/schemas/resources"
    found = (json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json"))
    return {schema["typeName"]: schema for schema in found}


def needs(schema):
    """The actions that a schema asks for; IAM does not tell upper from lower case."""
    handlers = schema.get("handlers", {})
    kept = (handlers.get(name, {}).get("permissions", []) for name in ("create", "read", "update", "delete"))
    return {action.lower() for actions in kept for action in actions}


def excuses():
    """The entries of SET_ASIDE as pairs of type and pattern."""
    return {(name, pattern) for by_type in SET_ASIDE.values() for name, patterns in by_type.items() for pattern in patterns}


def missing(wanted, allowed):
    """Faults: what a type needs and nobody is allowed, and what is set aside for nothing."""
    faults, idle = [], excuses()
    for name, actions in wanted.items():
        if not actions:
            faults.append(f"the schema of {name} tells no permissions: look them up, and say so in .ci/deployer.py")
        for action in sorted(actions - allowed):
            matching = {entry for entry in excuses() if entry[0] == name and fnmatch.fnmatch(action, entry[1].lower())}
            idle -= matching
            if not matching:
                faults.append(f"{name} needs {action}: allow it in a policy, or set it aside in .ci/deployer.py")
    return faults + [f"nothing needs {pattern} of {name} to be set aside any more" for name, pattern in sorted(idle)]


def superfluous(wanted, allowed):
    """Faults: what is allowed and nothing asks for, and what stands under BESIDES for nothing."""
    asked = set().union(*wanted.values())
    besides = {action.lower() for actions in BESIDES.values() for action in actions}
    faults = [f"{action} is allowed, but nothing asks for it" for action in sorted(allowed - asked - besides)]
    faults += [f"{action} stands under BESIDES, but is not allowed" for action in sorted(besides - allowed)]
    return faults + [f"{action} stands under BESIDES, but a schema asks for it" for action in sorted(besides & asked)]


def lint(texts):
    faults, used = [], set()
    for path, text in texts.items():
        for finding in parliament.analyze_policy_string(text).findings:
            told = f"{finding.detail} {finding.location}"
            excuse = next((key for key in SILENCED if key[0] == finding.issue and key[1] in told), None)
            used.add(excuse)
            if excuse is None:
                faults.append(f"{path}: {finding.issue}: {told}")
    return faults + [f"parliament no longer finds {key}: remove it from .ci/deployer.py" for key in SILENCED if key not in used]


def main():
    templates = [json.loads(pathlib.Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:]]
    types = {resource["Type"] for template in templates for resource in template["Resources"].values()} | set(ALWAYS)
    known = schemas()
    wanted = {name: needs(known[name]) for name in sorted(types)}
    texts = {path: pathlib.Path(path).read_text(encoding="utf-8").replace("ACCOUNT", "123456789012") for path in POLICIES}
    policies = {path: json.loads(text) for path, text in texts.items()}
    statements = [statement for policy in policies.values() for statement in policy["Statement"]]
    allowed = {action.lower() for statement in statements for action in as_list(statement["Action"])}
    faults = missing(wanted, allowed) + superfluous(wanted, allowed) + lint(texts)
    sizes = {path: len(json.dumps(policy, separators=(",", ":"))) for path, policy in policies.items()}
    faults += [f"{path} has {size} characters, IAM takes {MAX_CHARACTERS}" for path, size in sizes.items() if size > MAX_CHARACTERS]
    sys.exit("\n".join(faults) or None)


main()
