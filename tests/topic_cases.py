"""Invented questions with the topics they belong to, in the wording that Parliament uses.

Each line: topics (d: drugs, o: organised crime, do: both, -: neither), then what is asked, then after a bar the answer.
"""

from __future__ import annotations

CASES = """
d To ask the Secretary of State for Health and Social Care, what steps he is taking to increase access to naloxone in coastal towns.
d To ask the Secretary of State for Health and Social Care, how many people started treatment with Buvidal in Borchester last year.
d To ask the Secretary of State for the Home Department, if she will reclassify monkey dust as a Class A drug.
d To ask the Secretary of State for the Home Department, what assessment she has made of trends in the use of (a) ketamine and (b) cocaine.
d To ask the Secretary of State for Justice, what proportion of prisoners failed mandatory drug tests at HMP Felpersham.
d To ask the Secretary of State for Transport, whether she plans to bring in roadside saliva tests for drug drivers.
d To ask the Secretary of State for Transport, how many motorists were found to be over the limit for (a) alcohol and (b) drugs.
d To ask the Secretary of State for Health and Social Care, when the funding for residential rehab will be announced.
d To ask the Secretary of State for Health and Social Care, what steps he is taking to reduce dependence on prescribed opioids.
d To ask the Secretary of State for Health and Social Care, what support there is for people with a benzodiazepine dependency.
d To ask the Secretary of State for the Home Department, what recent discussions she has had with the ACMD.
d To ask the Secretary of State for Education, what guidance schools have on vapes spiked with synthetic cannabinoids.
d To ask the Secretary of State for the Home Department, how many licences to grow hemp were granted in 2023.
d To ask His Majesty's Government what plans they have to reschedule psilocybin for research.
d To ask His Majesty's Government what assessment they have made of the case for a supervised drug consumption room in London.
d To ask the Secretary of State for the Home Department, what steps she is taking to tackle nitrous oxide misuse in parks.
d To ask the Secretary of State for Health and Social Care, what steps he is taking to help people with substance misuse and mental ill health.
d To ask the Secretary of State for Health and Social Care, how many children whose parents are addicts are known to services.
d To ask the Secretary of State for the Home Department, how many people were convicted of possession of spice in prisons.
d To ask the Secretary of State for Justice, what steps he is taking to stop drones over prisons. | Drones bring in drugs and mobile phones.
d To ask the Secretary of State for Health and Social Care, how many deaths were linked to pregabalin in each year since 2019.
d To ask the Secretary of State for Health and Social Care, what plans there are for NHS prescriptions of medicinal cannabis.
d To ask the Secretary of State for Health and Social Care, what the budget is of the From Harm to Hope programme.
d To ask the Minister for the Cabinet Office, how many people died of drug poisoning in Wales.
d To ask the Secretary of State for Defence, how many soldiers were discharged after compulsory drug testing.
d To ask the Scottish Executive how many needle exchange programmes operate in pharmacies.
d To ask the Secretary of State for Health and Social Care, what he is doing about young men using anabolic steroids in gyms.
d To ask the Secretary of State for Work and Pensions, what help jobcentres give to people who are addicted to drugs or alcohol.
d To ask the Secretary of State for the Home Department, how often police used stop and search to look for drugs.
d To ask the Secretary of State for Justice, what progress the pilot of Drug Rehabilitation Requirements has made.
do To ask the Secretary of State for the Home Department, what quantity of heroin was seized by Border Force at ports.
do To ask the Secretary of State for the Home Department, what steps she is taking to tackle county lines drug dealing.
do To ask the Secretary of State for the Home Department, how many drug gangs were broken up by police in Ambridge.
do To ask the Secretary of State for Foreign, Commonwealth and Development Affairs, what help the UK gives Colombia against cocaine trafficking.
do To ask the Secretary of State for the Home Department, what she is doing about the smuggling of illegal drugs through ports.
do To ask the Secretary of State for the Home Department, how many vulnerable people fell victim to cuckooing. | Drug dealers take over homes.
do To ask the Secretary of State for the Home Department, what results Operation Mille had. | Police destroyed cannabis plants. Cannabis farms are run by gangs, and cannabis and cocaine were seized.
do To ask the Secretary of State for the Home Department, what discussions she has had with Border Force on the detection of protonitazene in parcels.
do To ask the Secretary of State for Foreign, Commonwealth and Development Affairs, what steps he is taking to help Ecuador against narco-trafficking.
do To ask the Secretary of State for the Home Department, how many ecstasy tablets were seized at ports.
d To ask the Secretary of State for Health and Social Care, how many NHS prescriptions of Sativex were issued last year.
d To ask the Secretary of State for Health and Social Care, what help there is for people who sleep rough and misuse substances.
- To ask the Secretary of State for Health and Social Care, what the supply is of fentanyl patches for palliative care.
- To ask the Secretary of State for Health and Social Care, what the risk is of anti-seizure drugs in pregnancy.
- To ask the Secretary of State for Environment, Food and Rural Affairs, what steps he is taking to protect the cuckoo and other birds.
- To ask the Secretary of State for Transport, what plans he has for cross-county lines between Felpersham and Borchester.
- To ask the Chancellor of the Exchequer, what she is doing about MPs who are denied bank accounts under anti-money laundering rules.
- To ask the Secretary of State for Health and Social Care, what hospitals pay for the laundering of linen.
o To ask the Secretary of State for the Home Department, what the budget of the National Crime Agency is.
o To ask the Secretary of State for the Home Department, what funding Regional Organised Crime Units get.
o To ask the Chancellor of the Exchequer, what steps she is taking to improve supervision of accountants against money laundering.
o To ask the Chancellor of the Exchequer, how many suspicious activity reports were filed by banks.
o To ask the Secretary of State for the Home Department, what steps she is taking to smash the people smuggling gangs.
o To ask the Secretary of State for the Home Department, how many staff work in the Border Security Command.
o To ask the Secretary of State for the Home Department, what steps she is taking to prosecute human traffickers.
o To ask the Secretary of State for the Home Department, what steps she is taking to tackle modern slavery in Borsetshire.
o To ask the Secretary of State for the Home Department, what steps she is taking to close fake barber shops that launder cash.
o To ask the Secretary of State for the Home Department, what results Operation Machinize had.
o To ask the Secretary of State for Environment, Food and Rural Affairs, what he is doing about waste crime. | The Joint Unit for Waste Crime goes after organised crime groups.
o To ask the Secretary of State for Environment, Food and Rural Affairs, what steps he is taking against criminal gangs that dump waste.
o To ask the Secretary of State for the Home Department, what steps she is taking against gangs that steal tractors.
o To ask the Secretary of State for the Home Department, what steps she is taking to tackle freight theft. | Opal is the police unit for serious organised acquisitive crime.
o To ask the Chancellor of the Exchequer, when the Illicit Tobacco Taskforce will begin its work.
o To ask the Secretary of State for the Home Department, what value of assets was recovered under the Proceeds of Crime Act 2002.
o To ask the Secretary of State for the Home Department, how many unexplained wealth orders were made.
o To ask the Secretary of State for the Home Department, what she is doing about child criminal exploitation.
o To ask the Secretary of State for the Home Department, what steps she is taking on gang violence in London.
o To ask the Secretary of State for the Home Department, how she works with Europol after the UK left the EU.
o To ask the Secretary of State for the Home Department, how many firearms trafficked from Turkey were found.
o To ask the Secretary of State for Environment, Food and Rural Affairs, what steps he is taking against the illegal trade in ivory by smugglers.
o To ask the Secretary of State for Foreign, Commonwealth and Development Affairs, what steps she is taking against scam centres in Myanmar.
o To ask the Secretary of State for the Home Department, what steps she is taking to tackle organised shop theft.
o To ask the Secretary of State for Foreign, Commonwealth and Development Affairs, what he is doing to stop illicit finance in the Overseas Territories.
o To ask the Secretary of State for the Home Department, what steps she is taking against ransomware gangs.
o To ask the Secretary of State for the Home Department, when the Economic Crime Plan will be renewed.
o To ask the Secretary of State for the Home Department, how many gangs were involved in small boat crossings.
o To ask His Majesty's Government what action they are taking against kleptocrats who hide dirty money in London.
o To ask His Majesty's Government what assessment they have made of Albanian organised crime groups.
d To ask the Secretary of State for Health and Social Care, how long people wait for a detoxification bed in Borsetshire.
d To ask the Secretary of State for Health and Social Care, what guidance there is on deprescribing benzodiazepines.
d To ask the Secretary of State for Education, what she is doing about drug use among sixth-formers.
d To ask the Secretary of State for the Home Department, what discussions she has had on a site in Felpersham. | We do not support drug consumption facilities. The Misuse of Drugs Act 1971 stands.
do To ask the Secretary of State for the Home Department, what steps she is taking to find cocaine in shipments of fruit.
do To ask the Secretary of State for Defence, how many interdictions of drugs the Royal Navy made.
o To ask the Secretary of State for the Home Department, how many people were convicted of facilitating unlawful immigration by small boat.
o To ask the Secretary of State for the Home Department, what funding Opal, the police unit, has.
o To ask the Secretary of State for Northern Ireland, what steps he is taking against extortion by paramilitaries.
- To ask the Secretary of State for Health and Social Care, what steps he is taking to supply hospices with diamorphine.
- To ask the Secretary of State for Education, how pupils are carried to schools across county lines.
do To ask the Secretary of State for the Home Department, how many flats were taken over by drug dealers.
o To ask the Secretary of State for Environment, Food and Rural Affairs, what he is doing to keep criminals out of the waste sector. | The Joint Unit for Waste Crime does.
- To ask the Secretary of State for Health and Social Care, whether independent prescribers may give controlled medicines.
- To ask the Secretary of State for Health and Social Care, whether ambulances carry ketamine for pain relief.
- To ask the Secretary of State for Science, Innovation and Technology, when drug testing on beagles will end.
- To ask the Secretary of State for Health and Social Care, what steps he is taking to increase access to new cancer drugs.
- To ask the Secretary of State for Health and Social Care, what steps he is taking to end the shortage of ADHD medication.
- To ask the Secretary of State for Health and Social Care, whether NICE will appraise the drug for cystic fibrosis.
- To ask the Secretary of State for Health and Social Care, what discussions he has had with drug companies on prices.
- To ask the Secretary of State for Health and Social Care, what assessment he has made of the use of morphine in hospices.
- To ask the Secretary of State for Health and Social Care, what the cost was of prescription drugs wasted by care homes.
- To ask the Secretary of State for Health and Social Care, what support there is for people with a gambling addiction.
- To ask the Secretary of State for Culture, Media and Sport, what she is doing about addiction to smartphones.
- To ask the Secretary of State for Environment, Food and Rural Affairs, what emissions of nitrous oxide farms had.
- To ask the Secretary of State for Environment, Food and Rural Affairs, what checks there are on imports of spice and herbs.
- To ask the Secretary of State for Transport, what speed limits apply and whether ice on roads is cleared.
- To ask the Secretary of State for Culture, Media and Sport, who were the heroines of the film that her Department supported.
- To ask the Secretary of State for Health and Social Care, what steps he is taking on alcohol harm.
- To ask the Secretary of State for Health and Social Care, what support there is for people who drink too much alcohol. | Councils run drug and alcohol services. Drug and alcohol treatment is funded by the Drug Strategy.
- To ask the Secretary of State for Health and Social Care, what steps he is taking to reduce youth vaping and smoking.
- To ask the Secretary of State for Transport, how many drivers failed a breath test for drink driving.
- To ask the Secretary of State for Health and Social Care, what steps he is taking on antimicrobial resistance to drugs.
- To ask the Secretary of State for the Home Department, how many police officers there are in Borsetshire.
- To ask the Secretary of State for the Home Department, what steps she is taking to reduce knife crime.
- To ask the Secretary of State for the Home Department, how many people crossed the Channel in small boats in May.
- To ask the Secretary of State for the Home Department, what support victims of modern slavery have in safe houses.
- To ask the Secretary of State for the Home Department, how many reasonable grounds decisions on modern slavery were made.
- To ask the Secretary of State for Business and Trade, what penalties Companies House gave under the Economic Crime and Corporate Transparency Act 2023.
- To ask the Secretary of State for Foreign, Commonwealth and Development Affairs, which sanctions were made under the Sanctions and Anti-Money Laundering Act 2018.
- To ask the Secretary of State for Business and Trade, whether companies must publish a statement on slavery in their supply chains.
- To ask the Secretary of State for the Home Department, when the inquiry into grooming gangs will begin.
- To ask the Secretary of State for the Home Department, what steps she is taking to reduce fraud against older people.
- To ask the Secretary of State for Environment, Food and Rural Affairs, what steps he is taking to stop puppy smuggling.
- To ask the Secretary of State for Environment, Food and Rural Affairs, what support councils get to clear fly-tipping.
- To ask the Secretary of State for Environment, Food and Rural Affairs, how many licences gangmasters hold.
- To ask the Secretary of State for Housing, Communities and Local Government, what he is doing to bring trade back to the high street.
- To ask the Secretary of State for the Home Department, what steps she is taking on terrorism.
- To ask the Secretary of State for Health and Social Care, how he will organise services for crime victims in criminal courts.
- To ask the Secretary of State for Business and Trade, what qualifications barbers need.
- To ask the Secretary of State for the Home Department, what steps she is taking to reduce shoplifting. | We fund a team on organised retail crime.
- To ask the Secretary of State for Health and Social Care, how he regulates the sale of steroid creams and topical steroid withdrawal.
"""


def cases() -> list[tuple[set[str], str, str]]:
    """Topics, question, answer."""
    names = {"d": {"drugs"}, "o": {"organised-crime"}, "do": {"drugs", "organised-crime"}, "-": set()}
    found = []
    for line in CASES.strip().splitlines():
        label, _, texts = line.partition(" ")
        question, _, answer = texts.partition(" | ")
        found.append((names[label], question, answer))
    return found
