# Predicted labels against the right ones: accuracy, F1, Matthews' correlation, confusion.
from sklearn import metrics

right = ["no", "no", "yes", "yes"]
predicted = ["no", "yes", "yes", "yes"]

print(f"accuracy {metrics.accuracy_score(right, predicted):.3f}")
print(f"macro F1 {metrics.f1_score(right, predicted, average='macro', zero_division=0):.3f}")
if len({*right, *predicted}) > 1:
    print(f"Matthews {metrics.matthews_corrcoef(right, predicted):.3f}")
    print(metrics.confusion_matrix(right, predicted))
