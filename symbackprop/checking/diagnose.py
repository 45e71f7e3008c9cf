"""Why is a step wrong? (placeholder)"""
from symbackprop.checking.report import Diagnosis
def diagnose(step, document):
    return Diagnosis("other", "the two sides differ"), None
