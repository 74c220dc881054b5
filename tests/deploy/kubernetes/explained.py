"""What checkov finds in the manifests, and why it stays."""

EXPLAINED = {
    "CKV_K8S_43": "the digest is whoever builds the image's to give: `images: [{digest: ...}]`",
    "CKV_K8S_15": "a tag that is never given again need not be pulled again, and a digest cannot",
}
