# The first station of a project without a fact: what the page calls the missing step.
facts = [("Tasks", "1 task solved"), ("Tokenization", "")]

done = [station for station, said in facts if said]
missing = next((station for station, said in facts if not said), None)
print(len(done), "of", len(facts), "stations have a fact; missing first:", missing)
