"""Fills a sandboxed installation with traders, subscribers and their accounts, through the services and the sandbox."""
